//! Synthetic facts.
