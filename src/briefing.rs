//! 7. The document model of a note.
