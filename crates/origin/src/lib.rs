//! The origin: facts in, signed snapshots out.
