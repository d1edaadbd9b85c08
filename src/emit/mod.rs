//! 5. Verdicts to records (pure), and the producer that sends them (I/O).
