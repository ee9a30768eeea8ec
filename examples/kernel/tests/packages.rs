//! The kernel boots the very crates that the hosted demo runs.

use std::collections::BTreeMap;
use std::env;
use std::process::Command;

use serde_json::Value;

/// The path dependencies of a package that are not its development's: name and manifest.
fn local_dependencies(metadata: &Value, package: &str) -> BTreeMap<String, String> {
    let packages = metadata["packages"].as_array().expect("packages");
    let by_name = |name: &str| packages.iter().find(|package| package["name"] == name).expect(name);
    let id = &by_name(package)["id"];
    let node = metadata["resolve"]["nodes"].as_array().expect("nodes").iter().find(|node| node["id"] == *id);
    let dependencies = node.expect(package)["deps"].as_array().expect("dependencies");
    let is_built = |dependency: &&Value| {
        dependency["dep_kinds"].as_array().expect("kinds").iter().any(|kind| kind["kind"].is_null())
    };
    let of_id = |id: &Value| packages.iter().find(|package| package["id"] == *id).expect("a package of that id");
    dependencies
        .iter()
        .filter(is_built)
        .map(|dependency| of_id(&dependency["pkg"]))
        .filter(|package| package["source"].is_null())
        .map(|package| (package["name"].to_string(), package["manifest_path"].to_string()))
        .collect()
}

#[test]
fn the_kernel_and_the_demo_link_the_same_module_crates() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata in JSON");
    let (demo, kernel) = (local_dependencies(&metadata, "demo"), local_dependencies(&metadata, "kernel"));
    assert_eq!(demo.len(), 6, "five crates and the runtime: {demo:?}");
    for (name, manifest) in demo {
        assert_eq!(kernel.get(&name), Some(&manifest), "{name}");
    }
}
