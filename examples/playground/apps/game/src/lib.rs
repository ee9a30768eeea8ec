//! The game: what is on the field at first, and how all of it looks.
#![forbid(unsafe_code)]

use helix_runtime::prelude::*;
use playground_ecs::{WIDTH, WorldClient};

/// Ties the others together.
#[helix_module(
    name = "apps/game",
    kind = app,
    dependencies = ["world", "systems/clock", "plugins/movement", "plugins/score"],
    flags = HOT_RELOADABLE,
    stateless,
)]
#[derive(Debug, Default)]
pub struct Game;

#[helix_handlers]
impl Game {
    /// Fills the field, unless something is there already: the game may have been reloaded.
    #[on_start]
    fn start(&self, ctx: &Context) -> Result<(), ModuleError> {
        let world: WorldClient = ctx.service()?;
        if world.entities()?.is_empty() {
            for (x, speed) in [(4.0, 24.0), (20.0, -9.0), (36.0, 15.0)] {
                world.spawn(x, speed)?;
            }
        }
        Ok(())
    }

    /// The field and the score, in a line.
    #[on_request]
    fn picture(&self, ctx: &Context) -> Result<String, ModuleError> {
        let world: WorldClient = ctx.service()?;
        let mut field = vec!['.'; WIDTH as usize + 1];
        for entity in world.entities()? {
            field[entity.x as usize] = 'o';
        }
        let score: String = ctx.call::<(), String>("plugins/score.shown", ())?;
        Ok(format!("|{}| {score}", field.into_iter().collect::<String>()))
    }
}
