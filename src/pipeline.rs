//! The table of contents: sources in, notes out.
