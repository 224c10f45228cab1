//! "did you mean": the nearest of the names that would have been right.

/// `did you mean `x`?` for the known name nearest to `given`, if one is near.
pub(crate) fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let nearest = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase()), name))
        .min()?;
    let most = if given.chars().count() <= 4 { 1 } else { given.chars().count() / 3 };
    (nearest.0 <= most).then(|| format!("did you mean `{}`?", nearest.1))
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn only_near_names_are_offered() {
        let known = ["orders", "order_items", "products"];
        assert_eq!(did_you_mean("ordres", known).as_deref(), Some("did you mean `orders`?"));
        assert_eq!(did_you_mean("prodcts", known).as_deref(), Some("did you mean `products`?"));
        assert_eq!(did_you_mean("newsletter", known), None);
        assert_eq!(did_you_mean("x", known), None);
    }
}
