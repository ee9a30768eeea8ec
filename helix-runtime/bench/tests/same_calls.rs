//! Who is compared has done the same: as many calls of the opaque functions, to as many who are called.

use helix_bench::row::{Contender, Row};

/// How often each of those who were called was called, the least first. Who was not called does not count: in some rows
/// not everyone is meant.
fn called(contender: &mut Contender, operations: u64) -> Vec<u64> {
    let before = contender.calls();
    contender.run(operations);
    let after = contender.calls();
    let mut each: Vec<u64> = after.iter().zip(&before).map(|(after, before)| after - before).collect();
    each.retain(|calls| *calls > 0);
    each.sort_unstable();
    each
}

fn all_make_the_same_calls(row: &Row, what: &str) {
    let mut contenders = row.field().into_contenders();
    for operations in [1, 10] {
        let made: Vec<Vec<u64>> = contenders.iter_mut().map(|contender| called(contender, operations)).collect();
        for (contender, calls) in contenders.iter().zip(&made) {
            assert_eq!(*calls, made[0], "{what}: {}", contender.name);
        }
        let all: u64 = made[0].iter().sum();
        assert!(all >= operations && all.is_multiple_of(operations), "{what}: {all} calls for {operations}");
        if let Some(handlers) = row.handlers {
            assert_eq!(made[0], vec![operations; handlers], "{what}");
        }
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
