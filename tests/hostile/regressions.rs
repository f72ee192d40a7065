//! Files made by hand, each of which broke a reader or could have.
