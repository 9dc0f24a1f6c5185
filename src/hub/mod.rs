//! The Hugging Face hub, for `ask models pull`: the one room of the program that opens connections.
//!
//! [`Settings`] is what the environment says, [`client`](self) asks the server, [`pull`] writes what it gives to the
//! [`cache`](crate::model::cache). Nothing else in the crate calls it, which `tests/invariants.rs` holds.
//!
//! The protocol is the hub's, as Python's `huggingface_hub` speaks it: `/api/models/NAME/revision/REVISION` lists a
//! commit's files; `/NAME/resolve/COMMIT/FILE` gives one, a large one by a redirect to another host, with its hash in
//! the header `X-Linked-Etag` (SHA-256) and a small one's in `ETag` (git's).

mod client;
mod pull;
mod settings;

pub use pull::{Event, Pulled, PulledFile, pull};
pub use settings::Settings;
