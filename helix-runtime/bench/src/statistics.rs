//! Publishing while each listener's calls are counted and timed, against the table that counts nothing.

use helix_runtime::{Builder, Runtime, SystemClock};

use crate::events::{floor, to_modules};
use crate::row::{Field, Row};

fn row(what: &str, modules: usize, builder: fn() -> Builder) -> Row {
    Row::new(format!("{what}: {modules}"), move || Field::new(floor(modules), to_modules(builder(), modules)))
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let counted = || Runtime::builder().statistics();
    let timed = || Runtime::builder().statistics().clock(SystemClock);
    vec![
        row("publish with statistics, `&self` handlers", 1, counted).within(8.0),
        row("publish with statistics, `&self` handlers", 8, counted).within(8.0),
        row("publish with statistics by the system's clock, `&self` handlers", 1, timed),
        row("publish with statistics by the system's clock, `&self` handlers", 8, timed),
    ]
}
