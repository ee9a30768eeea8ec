//! Whose libraries a host loads: ed25519 signatures over a file's digest, by keys that its owner trusts.
//!
//! Signatures stand beside the library, in a file of its name with `.sig` behind it, a line each:
//!
//! ```text
//! ed25519 <public key, 64 hexadecimal digits> <signature, 128>
//! ```
//!
//! What is signed is the text `helix-library 1 ` and the 32 bytes of SHA-256 over the whole library.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::library::Library;

/// What becomes of a library that too few have signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// Nobody looks.
    #[default]
    Off,
    /// It is loaded, and the log says so.
    Warn,
    /// It is refused.
    Required,
}

/// Whom a host trusts.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// What becomes of a library that too few of them have signed.
    pub policy: Policy,
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// How many of them have to have signed a library.
    pub threshold: usize,
}

/// A public key: 32 bytes, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(self.0.as_bytes()))
    }
}

impl std::str::FromStr for PublicKey {
    type Err = TrustFault;

    fn from_str(text: &str) -> Result<Self, TrustFault> {
        let key = || VerifyingKey::from_bytes(&bytes(text)?).ok();
        key().map(Self).ok_or_else(|| TrustFault::Key { found: shown(text) })
    }
}

/// Why a library is not trusted, or a key is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustFault {
    /// Too few have signed it.
    #[error(
        "{}: found {found} of the trusted keys' signatures, expected {expected}{}; sign it with `helix sign {0} --key KEY`",
        .path.display(), .why
    )]
    Few {
        /// The library.
        path: PathBuf,
        /// How many of the keys have signed it.
        found: usize,
        /// How many have to.
        expected: usize,
        /// What is wrong with the others, if there are any.
        why: String,
    },
    /// A line is no signature.
    #[error("{}, line {line}: found `{found}`, expected `ed25519 PUBLIC-KEY SIGNATURE`", .path.display())]
    Line {
        /// The file with the signatures.
        path: PathBuf,
        /// Which line.
        line: usize,
        /// How it begins.
        found: String,
    },
    /// A text is no public key.
    #[error("found `{found}`, expected a public key of ed25519: 64 hexadecimal digits, as `helix keygen` shows them")]
    Key {
        /// How it begins.
        found: String,
    },
    /// A file is no secret key.
    #[error("{}: found no secret key, expected 64 hexadecimal digits, as `helix keygen` writes them", .path.display())]
    Secret {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("{}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn shown(text: &str) -> String {
    text.chars().take(24).filter(|letter| !letter.is_control()).collect()
}

fn io(path: &Path) -> impl Fn(io::Error) -> TrustFault {
    move |error| TrustFault::Io { path: path.into(), error }
}

/// What is signed of a library.
fn message(library: &Library) -> Vec<u8> {
    [b"helix-library 1 ".as_slice(), &Sha256::digest(&library.bytes)].concat()
}

/// The file with a library's signatures.
fn beside(library: &Path) -> PathBuf {
    let mut name = library.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// A signature in 128 hexadecimal digits.
pub(crate) fn signature(text: &str) -> Option<Signature> {
    bytes(text).map(|bytes| Signature::from_bytes(&bytes))
}

/// How long the file with the signatures can be, in bytes.
const LONGEST: u64 = 64 << 10;

/// The signatures beside a library; none if there is no such file.
fn signatures(library: &Path) -> Result<Vec<(PublicKey, Signature)>, TrustFault> {
    let path = beside(library);
    let mut text = String::new();
    match fs::File::open(&path) {
        Ok(file) => file.take(LONGEST).read_to_string(&mut text).map_err(io(&path))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(&path)(error)),
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let read = || {
                let mut fields = line.split_ascii_whitespace();
                let (kind, key, signature) = (fields.next()?, fields.next()?, fields.next()?);
                let signature = self::signature(signature)?;
                (kind == "ed25519" && fields.next().is_none()).then_some((key.parse().ok()?, signature))
            };
            read().ok_or_else(|| TrustFault::Line { path: path.clone(), line: at + 1, found: shown(line) })
        })
        .collect()
}

impl Trust {
    /// Checks that enough of the keys have signed a library. Gives those that have.
    pub fn verify(&self, library: &Library) -> Result<Vec<PublicKey>, TrustFault> {
        let message = message(library);
        let (mut good, mut bad, mut strange) = (Vec::new(), 0, BTreeSet::new());
        let in_manifest = library.manifest.iter().flat_map(|manifest| manifest.signatures.iter().copied());
        for (key, signature) in signatures(&library.path)?.into_iter().chain(in_manifest) {
            if !self.keys.contains(&key) {
                strange.insert(key.to_string());
            } else if key.0.verify_strict(&message, &signature).is_err() {
                bad += 1;
            } else if !good.contains(&key) {
                good.push(key);
            }
        }
        if good.len() >= self.threshold.max(1) {
            return Ok(good);
        }
        let mut why = String::new();
        if bad > 0 {
            why += &format!(", and {bad} that are of other bytes than these");
        }
        if !strange.is_empty() {
            why += &format!(", and {} of keys that are not trusted", strange.len());
        }
        let (found, expected) = (good.len(), self.threshold.max(1));
        Err(TrustFault::Few { path: library.path.clone(), found, expected, why })
    }

    /// The same as the policy says.
    pub(crate) fn check(&self, library: &Library) -> Result<(), TrustFault> {
        if self.policy == Policy::Off {
            return Ok(());
        }
        match self.verify(library) {
            Err(fault) if self.policy == Policy::Warn => log::warn!(target: "helix", "{fault}"),
            verified => drop(verified?),
        }
        Ok(())
    }
}

/// Makes a key: the secret one is written to a new file that only its owner reads, and the public one is given.
pub fn keygen(path: &Path) -> Result<PublicKey, TrustFault> {
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom").and_then(|mut random| random.read_exact(&mut seed)).map_err(io(path))?;
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            io(path)(io::Error::other("found a file of that name, which is never written over; name another one"))
        }
        _ => io(path)(error),
    })?;
    io::Write::write_all(&mut file, format!("{}\n", hex(&seed)).as_bytes()).map_err(io(path))?;
    Ok(PublicKey(SigningKey::from_bytes(&seed).verifying_key()))
}

/// Signs a library: the signature is put beside it, in the place of an older one by that key. Gives the public key.
pub fn sign(library: &Library, key: &Path) -> Result<PublicKey, TrustFault> {
    let text = String::from_utf8(fs::read(key).map_err(io(key))?).unwrap_or_default();
    let seed = bytes(text.trim()).ok_or_else(|| TrustFault::Secret { path: key.into() })?;
    let secret = SigningKey::from_bytes(&seed);
    let public = PublicKey(secret.verifying_key());
    let mut all = signatures(&library.path)?;
    all.retain(|(other, _)| *other != public);
    all.push((public, secret.sign(&message(library))));
    let lines: String =
        all.iter().map(|(key, signature)| format!("ed25519 {key} {}\n", hex(&signature.to_bytes()))).collect();
    let path = beside(&library.path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io(&path))?;
    io::Write::write_all(&mut file, lines.as_bytes()).map_err(io(&path))?;
    file.persist(&path).map_err(|error| io(&path)(error.error))?;
    Ok(public)
}
