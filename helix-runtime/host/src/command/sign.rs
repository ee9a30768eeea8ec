//! Verbs for signatures: a key is made, a library is signed and verified.

use std::path::Path;

use helix_host::{HostFault, Library, Policy, PublicKey, Trust, TrustFault};

use super::show;
use super::talk::{Ended, Talk};

impl From<TrustFault> for Ended {
    fn from(fault: TrustFault) -> Self {
        HostFault::from(fault).into()
    }
}

/// Makes a key. The public one is data.
pub fn keygen(talk: &Talk, key: &Path) -> Result<(), Ended> {
    let public = helix_host::keygen(key)?;
    talk.step("made", &format!("{}, which is secret; the public key is", key.display()));
    show::line(&public.to_string())
}

/// Signs a library.
pub fn sign(talk: &Talk, library: &Path, key: &Path) -> Result<(), Ended> {
    let public = helix_host::sign(&Library::open(library)?, key)?;
    talk.step("signed", &format!("{} by {public}", library.display()));
    Ok(())
}

/// Whether enough of the keys have signed a library: those that have are data.
pub fn verify(talk: &Talk, library: &Path, keys: &[String], threshold: usize) -> Result<(), Ended> {
    let keys = keys.iter().map(|key| key.parse()).collect::<Result<Vec<PublicKey>, _>>()?;
    let trust = Trust { policy: Policy::Required, keys, threshold };
    let signed = trust.verify(&Library::open(library)?)?;
    talk.step("verified", &format!("{} is signed by {} of the keys", library.display(), signed.len()));
    signed.iter().try_for_each(|key| show::line(&key.to_string()))
}
