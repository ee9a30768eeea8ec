//! Nothing is here: the cases are in `cases/`, their reviewed expansions in `snapshots/`, the tests in `tests/`.
