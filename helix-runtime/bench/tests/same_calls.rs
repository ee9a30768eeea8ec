//! Who is compared has done the same: as many calls of the opaque functions, for as many operations.

use helix_bench::row::Row;

fn all_make_the_same_calls(row: &Row, what: &str) {
    let mut contenders = row.field().into_contenders();
    for operations in [1, 10] {
        let made: Vec<u64> = contenders
            .iter_mut()
            .map(|contender| {
                let before = contender.calls();
                contender.run(operations);
                contender.calls() - before
            })
            .collect();
        for (contender, &calls) in contenders.iter().zip(&made) {
            assert_eq!(calls, made[0], "{what}: {}", contender.name);
        }
        assert!(made[0] >= operations, "{what}: nothing was called");
    }
}

#[test]
fn every_contender_of_a_row_makes_the_same_calls() {
    for row in helix_bench::rows() {
        all_make_the_same_calls(&row, &row.what);
    }
}

#[test]
fn every_point_of_a_plot_makes_the_same_calls() {
    for curve in helix_bench::curves::curves() {
        // More of the same closures differ in number alone, and take long to subscribe without optimization.
        for point in curve.points.into_iter().filter(|point| point.at <= 1000.0) {
            all_make_the_same_calls(&point.row, &format!("{} at {}", curve.name, point.at));
        }
    }
}
