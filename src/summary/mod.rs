//! 6. A translation becomes three bullets with their evidence.
