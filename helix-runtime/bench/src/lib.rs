//! What the runtime costs: rows of contenders that do the same work, for the benchmark to time and the tests to compare.
#![warn(missing_docs)]

pub mod bus;
pub mod events;
pub mod exclusive;
pub mod measure;
pub mod requests;
pub mod row;
pub mod share;
pub mod statistics;
pub mod table;
pub mod work;

/// All rows, in the order of the table.
pub fn rows() -> Vec<row::Row> {
    let subjects = [events::rows(), share::rows(), statistics::rows(), exclusive::rows(), requests::rows()];
    subjects.into_iter().flatten().collect()
}
