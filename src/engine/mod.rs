//! The judge: a program, the usage it has not seen and an instant in, a decision out.

pub mod program;

pub use program::Program;
