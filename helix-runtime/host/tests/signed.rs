//! Signatures: who has signed what, and what a host makes of it.
#![allow(missing_docs)]
#![cfg(all(target_os = "linux", not(miri)))]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use helix_host::{Configuration, Host, Library, Policy, PublicKey, Trust, keygen, sign};

const ANSWER: &str = r#"
#![forbid(unsafe_code)]
use helix_runtime::prelude::*;
/// Answers.
#[helix_module(name = "answer", flags = HOT_RELOADABLE, stateless)]
#[derive(Default)]
pub struct Answer;
#[helix_handlers]
impl Answer {
    #[on_request]
    fn text(&self) -> String { "the answer is no".into() }
}
"#;

struct Signed {
    folder: PathBuf,
    library: PathBuf,
    keys: Vec<(PathBuf, PublicKey)>,
}

/// A library that nobody has signed yet, and three keys.
fn prepare(test: &str) -> Signed {
    let folder = support::folder(test);
    let library = support::library(&folder, "answer", ANSWER);
    let _ = fs::remove_file(folder.join("answer.so.sig"));
    let keys = (0..3).map(|number| {
        let path = folder.join(format!("{number}.key"));
        let _ = fs::remove_file(&path);
        let public = keygen(&path).unwrap();
        (path, public)
    });
    Signed { keys: keys.collect(), library, folder }
}

#[test]
fn so_many_of_the_trusted_keys_have_to_have_signed_the_very_bytes() {
    let Signed { folder, library, keys } = prepare("signed");
    let open = || Library::open(&library).unwrap();
    let publics: Vec<PublicKey> = keys.iter().map(|(_, public)| *public).collect();
    let two_of = |keys: &[PublicKey]| Trust { policy: Policy::Required, keys: keys.to_vec(), threshold: 2 };
    let all = two_of(&publics);
    let fails = |trust: &Trust, says: &str| {
        let found = trust.verify(&open()).unwrap_err().to_string();
        assert!(found.contains(says) && found.contains("sign it with `helix sign"), "{found}");
    };
    fails(&all, "found 0 of the trusted keys' signatures, expected 2;");
    sign(&open(), &keys[0].0).unwrap();
    sign(&open(), &keys[0].0).unwrap();
    fails(&all, "found 1 of");
    sign(&open(), &keys[1].0).unwrap();
    assert_eq!(all.verify(&open()).unwrap(), publics[..2]);
    fails(
        &two_of(&publics[1..]),
        "found 1 of the trusted keys' signatures, expected 2, and 1 of keys that are not trusted",
    );

    // The same module with other bytes in it, sealed as it should be.
    let bytes = fs::read(&library).unwrap();
    fs::write(&library, support::patched(&bytes, b"the answer is no", b"the answer is ye")).unwrap();
    fails(&all, "found 0 of the trusted keys' signatures, expected 2, and 2 that are of other bytes than these");
    fs::write(&library, &bytes).unwrap();
    assert_eq!(all.verify(&open()).unwrap().len(), 2);

    let beside = folder.join("answer.so.sig");
    let lines = fs::read_to_string(&beside).unwrap();
    for (text, says) in [
        ("ed25519 00 11".into(), "line 1: found `ed25519 00 11`, expected `ed25519 PUBLIC-KEY SIGNATURE`"),
        (format!("{lines}\nnonsense"), "line 4: found `nonsense`"),
        (lines.replace("ed25519", "rsa"), "line 1: found `rsa "),
    ] {
        fs::write(&beside, text).unwrap();
        let found = all.verify(&open()).unwrap_err().to_string();
        assert!(found.contains(says), "{found}");
    }
}

#[test]
fn a_host_loads_what_its_owner_trusts_wherever_it_is_placed() {
    let Signed { library, keys, .. } = prepare("trusted");
    for isolation in ["none", "process"] {
        let start = |policy: &str| {
            let text = format!(
                "[host]\ncommand = {:?}\nmodules.answer = {{ isolation = {isolation:?} }}\n\
                 signatures = {{ policy = {policy:?}, keys = [\"{}\"] }}\n",
                env!("CARGO_BIN_EXE_helix"),
                keys[0].1
            );
            let configuration = Configuration::parse(&text, Path::new("host.toml")).unwrap();
            Host::builder().libraries(std::slice::from_ref(&library)).configuration(configuration).start()
        };
        let _ = fs::remove_file(library.with_extension("so.sig"));
        let fault = start("required").unwrap_err();
        assert!(fault.to_string().contains("found 0 of the trusted keys' signatures, expected 1"), "{fault}");
        assert_eq!(fault.exit(), 4);
        for policy in ["warn", "off"] {
            start(policy).unwrap();
        }
        sign(&Library::open(&library).unwrap(), &keys[0].0).unwrap();
        let host = start("required").unwrap();
        assert_eq!(host.runtime().call::<(), String>("answer.text", ()).unwrap(), "the answer is no");
        // What replaces it has to be signed as well.
        let other = library.with_file_name("other.so");
        let _ = fs::remove_file(library.with_file_name("other.so.sig"));
        let bytes = fs::read(&library).unwrap();
        fs::write(&other, support::patched(&bytes, b"the answer is no", b"the answer is ye")).unwrap();
        let fault = host.reload("answer", Some(&other)).unwrap_err().to_string();
        assert!(fault.contains("found 0 of") && fault.contains("serves on"), "{fault}");
    }
}

#[test]
fn a_secret_key_is_its_owners_and_is_not_written_over() {
    let Signed { keys, folder, library } = prepare("keys");
    let secret = &keys[0].0;
    assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(keygen(secret).unwrap_err().to_string().contains("which is never written over"));
    let none = folder.join("none.key");
    fs::write(&none, "not hexadecimal").unwrap();
    let fault = sign(&Library::open(&library).unwrap(), &none).unwrap_err().to_string();
    assert!(fault.contains("found no secret key, expected 64 hexadecimal digits"), "{fault}");
    let fault = "12".parse::<PublicKey>().unwrap_err().to_string();
    assert!(fault.contains("found `12`, expected a public key"), "{fault}");
}

#[test]
fn a_configuration_that_nobody_could_meet_is_refused() {
    for (signatures, says) in [
        ("{ policy = \"always\" }", "host.signatures.policy: found the string \"always\", expected \"required\""),
        ("{ keys = [\"12\"] }", "host.signatures.keys: found the array of 1, expected a list of public keys"),
        ("{ policy = \"required\" }", "host.signatures.keys: found 0 keys, expected as many as `threshold` says"),
        ("{ threshold = 0 }", "host.signatures.threshold: found the integer 0, expected a whole number from 1"),
        ("{ key = \"\" }", "host.signatures.key: found the string \"\", expected one of `keys`, `policy`, `threshold`"),
    ] {
        let text = format!("[host]\nsignatures = {signatures}\n");
        let fault = Configuration::parse(&text, Path::new("host.toml")).unwrap_err().to_string();
        assert!(fault.contains(says), "{fault}");
    }
}
