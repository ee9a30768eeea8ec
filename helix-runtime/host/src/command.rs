//! The verbs, by what they work on: files, a host of one's own, or a host that runs.

pub mod ask;
pub mod demo;
pub mod files;
pub mod graph;
pub mod run;
pub mod show;
pub mod sign;
pub mod talk;
