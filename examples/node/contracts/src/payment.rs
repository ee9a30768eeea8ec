//! What is to be paid.

use helix_runtime::prelude::*;

/// Somebody is to be paid: a transaction that says so is expected.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "payment", name = "payment.request-created")]
pub struct PaymentRequestCreated {
    /// Its number, which no other has.
    pub id: u64,
    /// How much, in satoshi.
    pub amount: u64,
    /// Who is to hear that it was paid: a peer's number.
    pub payee: u64,
}
