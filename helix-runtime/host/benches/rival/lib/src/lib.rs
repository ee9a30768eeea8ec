//! What is edited.

/// The number that the benchmark changes.
#[unsafe(no_mangle)]
pub fn number() -> u64 {
    0
}
