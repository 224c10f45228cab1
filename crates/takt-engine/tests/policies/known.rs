//! Differences that were found, each as its smallest case.
