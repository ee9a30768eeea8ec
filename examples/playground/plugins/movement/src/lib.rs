//! Everything moves, and bounces off the edges.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use playground_ecs::{Bounced, Step, WIDTH, WorldClient};

/// Moves what is on the field.
#[helix_module(name = "plugins/movement", kind = plugin, dependencies = ["core/ecs"], flags = HOT_RELOADABLE, stateless)]
#[derive(Debug, Default)]
pub struct Movement;

#[helix_handlers]
impl Movement {
    #[on_event(Step)]
    fn step(&self, step: &Step, ctx: &Context) -> Result<(), ModuleError> {
        // A plugin depends on contracts alone; whoever provides them is found when it is called.
        let world: WorldClient = ctx.service()?;
        let mut entities = world.entities()?;
        for entity in &mut entities {
            entity.x += entity.speed * step.seconds;
            if !(0.0..=WIDTH).contains(&entity.x) {
                entity.x = entity.x.clamp(0.0, WIDTH);
                entity.speed = -entity.speed;
                ctx.publish(&Bounced { entity: entity.id }).first_error.map_or(Ok(()), |(_, error)| Err(error))?;
            }
        }
        Ok(world.put(entities)?)
    }
}
