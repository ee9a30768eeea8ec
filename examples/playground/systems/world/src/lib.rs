//! The entities.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use playground_ecs::{Entity, World};

/// Holds what is on the field.
#[helix_module(name = "systems/world", kind = system, provides = [World], dependencies = ["core/ecs"], flags = HOT_RELOADABLE)]
#[derive(Debug, Default)]
pub struct WorldSystem {
    entities: Vec<Entity>,
}

#[helix_handlers]
impl WorldSystem {
    #[on_save(version = 1)]
    fn save(&self) -> Vec<Entity> {
        self.entities.clone()
    }

    #[on_restore(version = 1)]
    fn restore(&mut self, entities: Vec<Entity>) {
        self.entities = entities;
    }
}

impl World for WorldSystem {
    fn spawn(&mut self, x: f32, speed: f32) -> u32 {
        let id = self.entities.iter().map(|entity| entity.id + 1).max().unwrap_or(0);
        self.entities.push(Entity { id, x, speed });
        id
    }

    fn entities(&self) -> Vec<Entity> {
        self.entities.clone()
    }

    fn put(&mut self, entities: Vec<Entity>) {
        for moved in entities {
            if let Some(entity) = self.entities.iter_mut().find(|entity| entity.id == moved.id) {
                *entity = moved;
            }
        }
    }
}
