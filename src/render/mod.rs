//! 8. A note becomes bytes.
