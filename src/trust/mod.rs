//! Who may say what is true: keys, heads and their signatures.
