//! Routes packets from peer to peer.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

use helix_runtime::prelude::*;
use node_contracts::{
    Mesh, MessageReceived, NetworkClient, NewBlock, NoRoute, Packet, PacketRouted, PeerConnected, Report, Route,
};

/// Knows who is connected, and gives each packet to the peer whose number is nearest to its destination's.
#[helix_module(
    name = "mesh",
    provides = [Mesh],
    dependencies = ["node"],
    permissions = [
        "call/node.network", "publish/mesh.packet-routed", "subscribe/network", "subscribe/chain.new-block",
        "subscribe/config.loaded", "subscribe/maintenance.data",
    ],
)]
#[derive(Debug, Default)]
pub struct MeshRouter {
    /// How far a packet may go.
    #[config(default = 4)]
    most_hops: u8,
    network: Option<NetworkClient>,
    /// For each peer, how many bytes it has sent since it was last looked at.
    peers: BTreeMap<u64, u64>,
    report: Report,
}

impl MeshRouter {
    /// Forgets who has gone, and learns who has come unheard.
    fn look_around(&mut self) -> Result<(), ModuleError> {
        let network = self.network.as_ref().ok_or("not initialized")?;
        let connected = network.get_network_peers()?.into_iter().map(|peer| peer.id);
        let known = |peer: u64| (peer, self.peers.get(&peer).copied().unwrap_or(0));
        self.peers = connected.map(known).collect();
        Ok(())
    }
}

#[helix_handlers]
impl MeshRouter {
    #[on_init]
    fn init(&mut self, ctx: &Context) -> Result<(), ModuleError> {
        self.network = Some(ctx.service()?);
        self.look_around()
    }

    #[on_event(ConfigLoaded)]
    fn configured(&mut self, loaded: &ConfigLoaded, ctx: &Context) -> Result<(), ModuleError> {
        self.report.hear(loaded);
        self.most_hops = ctx.config_as("most_hops")?.unwrap_or(4);
        Ok(())
    }

    #[on_event(PeerConnected)]
    fn connected(&mut self, connected: &PeerConnected) {
        self.report.hear(connected);
        self.peers.insert(connected.peer.id, 0);
    }

    #[on_event(MessageReceived)]
    fn received(&mut self, message: &MessageReceived) {
        self.report.hear(message);
        *self.peers.entry(message.peer).or_default() += u64::from(message.length);
    }

    #[on_event(NewBlock)]
    fn new_block(&mut self, block: &NewBlock) -> Result<(), ModuleError> {
        self.report.hear(block);
        let network = self.network.as_ref().ok_or("not initialized")?;
        if network.get_network_stats()?.peers as usize != self.peers.len() {
            self.look_around()?;
            self.report.note("looked who is connected");
        }
        Ok(())
    }

    #[on_event(DataMaintenance)]
    fn maintain(&mut self, what: &DataMaintenance) {
        self.report.hear(what);
        if what.cleans_up() {
            self.peers.values_mut().for_each(|bytes| *bytes = 0);
            self.report.note("counted peers' bytes anew");
        }
    }

    /// What it has seen and done.
    #[on_request]
    fn report(&self) -> Report {
        self.report.clone()
    }
}

impl Mesh for MeshRouter {
    fn route_packet(&mut self, packet: Packet, ctx: &Context) -> Result<Route, NoRoute> {
        let (found, most) = (packet.hops, self.most_hops);
        if !(1..=most).contains(&found) {
            return Err(NoRoute::Hops { found, most });
        }
        let nearest = self.peers.keys().copied().min_by_key(|peer| peer ^ packet.destination);
        let next_hop = nearest.ok_or(NoRoute::NoPeers)?;
        let route = Route { next_hop, hops_left: found - 1 };
        let told = ctx.publish(&PacketRouted { destination: packet.destination, route });
        self.report.note(if told.failed == 0 { "routed a packet" } else { "routed a packet, and could not say so" });
        Ok(route)
    }
}
