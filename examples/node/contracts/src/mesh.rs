//! Packets that go from peer to peer.

use core::fmt;

use helix_runtime::prelude::*;

/// Something for a peer that this node may not be connected to.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// For whom: a peer's number.
    pub destination: u64,
    /// Over how many peers it may go.
    pub hops: u8,
    /// What is in it.
    pub payload: Vec<u8>,
}

/// Where a packet went.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The peer that it was given to.
    pub next_hop: u64,
    /// Over how many it may go from there.
    pub hops_left: u8,
}

/// Why a packet went nowhere.
#[helix_message]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoute {
    /// Nobody is connected.
    NoPeers,
    /// It may not go any further, or asks to go further than the mesh lets it.
    Hops {
        /// How far it asks to go.
        found: u8,
        /// How far the mesh lets it.
        most: u8,
    },
}

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPeers => f.write_str("no peer is connected; try again when one is"),
            Self::Hops { found, most } => write!(f, "a packet for {found} hops: expected 1 to {most}"),
        }
    }
}

impl core::error::Error for NoRoute {}

/// Routes packets.
#[helix_service("mesh")]
pub trait Mesh {
    /// Gives a packet to the peer that is nearest to its destination.
    fn route_packet(&mut self, packet: Packet, ctx: &Context) -> Result<Route, NoRoute>;
}

/// A packet went to a peer.
#[helix_message]
#[derive(Debug, Clone, PartialEq, Eq, EventType)]
#[event(topic = "mesh", name = "mesh.packet-routed")]
pub struct PacketRouted {
    /// For whom it is.
    pub destination: u64,
    /// Where it went.
    pub route: Route,
}
