//! Every case fails to compile, with the message that lies beside it.

#[test]
fn every_case_says_what_is_wrong() {
    trybuild::TestCases::new().compile_fail("cases/**/*.rs");
}
