//! Verifies the embedded model against its manifest: a build with damaged weights fails here.

use std::path::Path;

use sha2::{Digest, Sha256};

fn main() {
    let directory = Path::new("models/reader");
    println!("cargo::rerun-if-changed=models/reader");
    if let Err(reason) = verify(directory) {
        println!("cargo::error={}: {reason}", directory.display());
    }
}

fn verify(directory: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(directory.join("manifest.toml"))
        .map_err(|e| format!("manifest.toml: {e}"))?;
    let manifest: toml::Table = text.parse().map_err(|e| format!("manifest.toml: {e}"))?;
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let entry = manifest
            .get("files")
            .and_then(|files| files.get(name))
            .ok_or_else(|| format!("manifest.toml does not list {name}"))?;
        let bytes = std::fs::read(directory.join(name)).map_err(|e| format!("{name}: {e}"))?;
        let hash: String = Sha256::digest(&bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        if entry.get("sha256").and_then(|v| v.as_str()) != Some(hash.as_str()) {
            return Err(format!("{name} has SHA-256 {hash}, manifest.toml says otherwise"));
        }
        let size = i64::try_from(bytes.len()).unwrap_or(-1);
        if entry.get("bytes").and_then(toml::Value::as_integer) != Some(size) {
            return Err(format!("{name} has {size} bytes, manifest.toml says otherwise"));
        }
    }
    Ok(())
}
