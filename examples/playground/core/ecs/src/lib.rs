//! What the playground's modules share: data, contracts and events, and no logic.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;

/// How wide the field is.
pub const WIDTH: f32 = 48.0;

/// Something that moves on the field.
#[helix_message]
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// Its number, which no other has.
    pub id: u32,
    /// Where it is, from 0 to [`WIDTH`].
    pub x: f32,
    /// How far it comes in a second; negative to the left.
    pub speed: f32,
}

/// All that is on the field.
#[helix_service("world")]
pub trait World {
    /// Puts something new there. Gives its number.
    fn spawn(&mut self, x: f32, speed: f32) -> u32;
    /// What is there, in the order of the numbers.
    fn entities(&self) -> Vec<Entity>;
    /// Puts these where they are now.
    fn put(&mut self, entities: Vec<Entity>);
}

/// The game goes on by a step.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "game", name = "game.step")]
pub struct Step {
    /// Counts up from 1.
    pub number: u64,
    /// How long it is.
    pub seconds: f32,
}

/// Something has reached an edge of the field.
#[helix_message]
#[derive(Debug, Clone, PartialEq, EventType)]
#[event(topic = "game", name = "game.bounced")]
pub struct Bounced {
    /// What has.
    pub entity: u32,
}

/// The contracts, as a module that others depend on.
#[helix_module(name = "core/ecs", kind = core, flags = HOT_RELOADABLE, stateless)]
#[derive(Debug, Default)]
pub struct Ecs;

#[helix_handlers]
impl Ecs {}
