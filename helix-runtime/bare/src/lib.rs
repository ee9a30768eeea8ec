//! Nothing but tests and a bench: `cargo test` and `cargo bench` here run the runtime as a kernel links it, without `std`.
