//! Who the node is connected to.

use helix_runtime::prelude::*;

/// Another node.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its number, which no other has.
    pub id: u64,
    /// Where it is.
    pub address: String,
}

/// How much went over the network.
#[helix_message]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NetworkStats {
    /// How many peers are connected.
    pub peers: u32,
    /// How many messages they have sent.
    pub messages: u64,
    /// How long these were together, in bytes.
    pub bytes: u64,
}

/// The node's peers.
#[helix_service("node.network")]
pub trait Network {
    /// How much went over the network.
    fn get_network_stats(&self) -> NetworkStats;
    /// Who is connected.
    fn get_network_peers(&self) -> Vec<Peer>;
}

/// A peer has connected. The node has room for a few: the one that came first may have gone for it.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "network", name = "network.peer-connected")]
pub struct PeerConnected {
    /// The peer.
    pub peer: Peer,
}

/// A peer has said something.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "network", name = "network.message-received")]
pub struct MessageReceived {
    /// Which one.
    pub peer: u64,
    /// What kind of message it is: `inv`, `tx`, `ping`.
    pub command: String,
    /// How long it is, in bytes.
    pub length: u32,
}
