//! Entitlements answered at the edge.
