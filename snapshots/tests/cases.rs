//! Every case, compiled: its own tests run what its snapshot shows.
#![forbid(unsafe_code)]
// Cases say what one would not write, to show that one may.
#![allow(clippy::needless_arbitrary_self_type)]

#[path = "../cases"]
mod cases {
    mod cfg;
    mod config;
    mod crate_path;
    mod dependencies;
    mod docs;
    mod event_type;
    mod events;
    mod events_by_name;
    mod generic;
    mod lifecycle;
    mod lifetime;
    mod message_generic;
    mod messages;
    mod minimal;
    mod new_path;
    mod options;
    mod provides;
    mod raw_identifiers;
    mod reloadable;
    mod requests;
    mod requests_borrowed;
    mod requests_raw;
    mod service;
    mod sets;
    mod state;
}
