//! Who is compared has done the same: as many calls of the opaque functions, for as many operations.

#[test]
fn every_contender_of_a_row_makes_the_same_calls() {
    for row in helix_bench::rows() {
        let mut contenders = row.field().into_contenders();
        for operations in [1, 10] {
            let calls: Vec<u64> = contenders
                .iter_mut()
                .map(|contender| {
                    let before = contender.calls();
                    contender.run(operations);
                    contender.calls() - before
                })
                .collect();
            for (contender, &made) in contenders.iter().zip(&calls) {
                assert_eq!(made, calls[0], "{}: {}", row.what, contender.name);
            }
            assert!(calls[0] >= operations, "{}: nothing was called", row.what);
        }
    }
}
