//! Runs the rows: `cargo bench`, `cargo bench -- NAME` for those whose name has that in it, `-- --quick` for a look.

use helix_bench::measure::{Plan, measure};

fn main() {
    for row in helix_bench::rows() {
        let field = row.field();
        let mut c = field.into_contenders();
        let m = measure(&mut c, Plan::FULL);
        for (c, m) in c.iter().zip(&m) {
            println!(
                "{} | {} | {:.1} | {:.2} [{:.2} {:.2}] {:?}",
                row.what, c.name, m.ns.median, m.ratio.median, m.ratio.low, m.ratio.high, row.budget
            );
        }
    }
}
