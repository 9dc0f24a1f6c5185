//! What was typed after `ask models`.

use clap::Subcommand;

const HELP: &str = "\
NAME is a name that ask models list shows, owner/name or owner/name@revision of the Hugging Face
hub, or built-in. A folder of that name comes first; write ./NAME to mean a folder only.

ask models pull is the one command that opens a network connection. It writes to the cache that
Python's tools use. Variables: HF_HOME or HF_HUB_CACHE (where models are kept), HF_ENDPOINT
(another hub), HF_TOKEN (for private models), HF_HUB_OFFLINE=1 (no connections),
HF_HUB_DOWNLOAD_TIMEOUT (seconds), HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE.

Examples:
  ask models list                               what is recommended, and what is here
  ask models show minilm-squad2                 size, licence, scores, files
  ask models pull minilm-squad2                 download it, or go on after a cut
  ask --model minilm-squad2 \"who signed?\" contracts/
  ask models pull deepset/roberta-base-squad2@main
  ask models verify minilm-squad2               hashes, and whether it can be read
  ask models verify ./my-model --json

Exit code: 0 done (verify: all is well), 1 verify found something wrong, 2 error.";

/// `ask models COMMAND`
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct ModelsArgs {
    /// What to do with models
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// The commands below `ask models`.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List recommended models and those in the store
    #[command(after_help = "Examples:\n  ask models list\n  ask models list --json | jq -r '.models[].name'")]
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what is known of a model
    #[command(
        after_help = "Examples:\n  ask models show roberta-squad2\n  ask models show owner/name\n  ask models show ./my-model"
    )]
    Show {
        /// A name, a folder, or built-in
        #[arg(value_name = "NAME|DIR")]
        model: String,

        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare a model's files with their hashes, and load it
    #[command(
        after_help = "Examples:\n  ask models verify minilm-squad2\n  ask models verify ./my-model\n  ask models verify built-in\n\n\
                      Exit code: 0 all is well, 1 something is wrong, 2 error."
    )]
    Verify {
        /// A name, a folder, or built-in
        #[arg(value_name = "NAME|DIR")]
        model: String,

        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a model from the Hugging Face hub, or what is missing of it
    #[command(
        after_help = "What has been downloaded is kept if the connection is cut, the disk is full or Ctrl-C is pressed; the same\n\
                      command goes on from there. Only config.json, tokenizer.json and model.safetensors (or\n\
                      rust_model.ot, where there is none) are downloaded, each compared with the hub's hash; pickle\n\
                      files never are.\n\n\
                      Examples:\n  ask models pull minilm-squad2\n  ask models pull owner/name@refs/pr/1\n  \
                      HF_TOKEN=… ask models pull my-company/private-model\n  HF_HOME=/big/disk ask models pull bart-cnn"
    )]
    Pull {
        /// A name that ask models list shows, owner/name or owner/name@revision
        #[arg(value_name = "NAME")]
        model: String,

        /// Print one line of JSON
        #[arg(long)]
        json: bool,

        /// Leave out notes and progress
        #[arg(short, long)]
        quiet: bool,
    },
}
