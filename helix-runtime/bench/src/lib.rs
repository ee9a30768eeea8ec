//! What the runtime costs: rows of contenders that do the same work, for the benchmark to time and the tests to compare.
//!
//! A [row](row::Row) has a floor, which is what one would write by hand for that case alone, ours, which is a plain
//! [`Runtime`](helix_runtime::Runtime) as anybody builds it, and sometimes others that do the same work. A
//! [curve](curves::Curve) is a plot of such rows.
#![warn(missing_docs)]

pub mod allocations;
pub mod bare;
pub mod bus;
pub mod channels;
pub mod compile;
pub mod curves;
pub mod designs;
pub mod desk;
pub mod events;
pub mod exclusive;
pub mod machine;
pub mod matches;
pub mod measure;
pub mod names;
pub mod plots;
pub mod relay;
pub mod report;
pub mod requests;
pub mod results;
pub mod row;
pub mod share;
pub mod statistics;
pub mod table;
pub mod threads;
pub mod work;

/// All rows, in the order of the table.
pub fn rows() -> Vec<row::Row> {
    let events = [events::rows(), share::rows(), statistics::rows(), exclusive::rows()];
    let calls = [requests::rows(), names::rows(), channels::rows(), relay::rows(), designs::rows()];
    events.into_iter().chain(calls).flatten().collect()
}
