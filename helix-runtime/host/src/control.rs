//! A running host over its control socket: one question a connection, and lines of JSON for an answer.
//!
//! The socket lies in a directory of its owner's alone, and whoever connects must be the owner (or root). A question is one
//! line, `{"helix":1,"verb":"reload","module":"counter"}`; an answer is any number of lines `{"data":..}`, and then one
//! `{"done":null}` or `{"fault":{"exit":4,"message":".."}}`. A question is at most [`LONGEST`] bytes long, a line of an answer 64 times that.

mod client;
mod protocol;
mod server;

pub use client::{Client, NoHost, default_socket};
pub use protocol::{Answer, Fault, LONGEST, Question, Verb, read_question};
pub use server::Server;

pub use crate::socket::{Bound, ControlFault};
