//! A guided tour.

use super::talk::{Ended, Talk};

pub fn demo(_talk: &Talk) -> Result<(), Ended> {
    Ok(())
}
