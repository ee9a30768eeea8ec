//! What the runtime costs: rows of contenders that do the same work, for the benchmark to time and the tests to compare.
#![warn(missing_docs)]

pub mod events;
pub mod measure;
pub mod requests;
pub mod row;
pub mod work;

/// All rows, in the order of the table.
pub fn rows() -> Vec<row::Row> {
    [events::rows(), requests::rows()].into_iter().flatten().collect()
}
