//! Verifies the embedded model against its manifest: a build with damaged weights fails here. Then takes the
//! vocabulary out of `tokenizer.json`, so that the program need not parse it at every start. With the feature `libtorch`,
//! tells the linker where the library is.

use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

fn main() {
    let directory = Path::new("models/reader");
    println!("cargo::rerun-if-changed=models/reader");
    if let Err(reason) = verify(directory).and_then(|()| split_tokenizer(directory)) {
        println!("cargo::error={}: {reason}", directory.display());
    }
    if std::env::var_os("CARGO_FEATURE_LIBTORCH").is_some()
        && let Err(reason) = link_libtorch()
    {
        println!("cargo::error={reason}");
    }
}

/// Has programs look for libtorch where it was when they were built: it is in no folder that a loader searches.
fn link_libtorch() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let remedy =
        "run \"bash scripts/libtorch.sh DIR\" and set what it prints (README.md, Other models and engines)";
    let folder = std::env::var("LIBTORCH").map_err(|_| format!("LIBTORCH is not set: {remedy}"))?;
    let library = Path::new(&folder).join("lib");
    if folder.ends_with(".cargo/no-libtorch") {
        return Err(format!("LIBTORCH is not set: {remedy}"));
    }
    if !library.is_absolute() || !library.join("libtorch_cpu.so").is_file() {
        return Err(format!(
            "LIBTORCH={folder}: is not the full path of a folder with lib/libtorch_cpu.so: {remedy}"
        ));
    }
    for argument in ["-Xlinker", "-rpath", "-Xlinker"] {
        println!("cargo::rustc-link-arg={argument}");
    }
    println!("cargo::rustc-link-arg={}", library.display());
    Ok(())
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

/// Writes `vocabulary.txt`, a token on each line in the order of ids, and `tokenizer.json` with no tokens in its
/// vocabulary but the special ones.
fn split_tokenizer(directory: &Path) -> Result<(), String> {
    let text = std::fs::read(directory.join("tokenizer.json")).map_err(|e| format!("tokenizer.json: {e}"))?;
    let mut json: Value = serde_json::from_slice(&text).map_err(|e| format!("tokenizer.json: {e}"))?;
    let added = json["added_tokens"].as_array().cloned().unwrap_or_default();
    if json["model"]["type"] != "WordPiece" {
        return Err("tokenizer.json: its model is not WordPiece".to_owned());
    }
    let special = |token: &str| added.iter().any(|added| added["content"] == token);
    let Some(vocabulary) = json["model"]["vocab"].as_object_mut() else {
        return Err("tokenizer.json: has no WordPiece vocabulary".to_owned());
    };
    let mut lines = vec![None; vocabulary.len()];
    for (token, id) in vocabulary.iter() {
        let id = id.as_u64().and_then(|id| usize::try_from(id).ok());
        match id.and_then(|id| lines.get_mut(id)) {
            Some(line @ None) if !token.contains('\n') => *line = Some(token.clone()),
            _ => {
                return Err(format!(
                    "tokenizer.json: the id of {token:?} leaves a gap, or is another's"
                ));
            }
        }
    }
    if let Some(missing) = added.iter().find(|added| {
        let token = added["content"].as_str().unwrap_or_default();
        vocabulary.get(token) != Some(&added["id"])
    }) {
        return Err(format!(
            "tokenizer.json: the added token {missing} is not in the vocabulary"
        ));
    }
    vocabulary.retain(|token, _| special(token));
    let lines: String = lines.into_iter().flatten().map(|token| token + "\n").collect();
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?;
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(Path::new(&out).join(name), bytes).map_err(|e| format!("{name}: {e}"))
    };
    write("vocabulary.txt", lines.as_bytes())?;
    write("tokenizer.json", json.to_string().as_bytes())
}
