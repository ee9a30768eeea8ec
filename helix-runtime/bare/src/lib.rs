//! Nothing but tests: `cargo test` here runs the runtime as a kernel links it, without the feature `std`.
