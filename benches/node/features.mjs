/** What every subject has, in the order of the bits in `access.bin`. */
export const FEATURES = [
  ...["sso", "audit_log", "custom_domain", "priority_support"],
  ...["regions", "retention", "integrations"],
  ...["api_calls", "tokens", "exports"],
];
