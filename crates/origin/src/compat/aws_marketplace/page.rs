//! What is asked for, checked, and a page of it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Refused;
use super::wire::{Entitlement, Page, Request};
use crate::compat::present::{Present, Stamp};

/// The keys of a filter.
const CUSTOMER: &str = "CUSTOMER_IDENTIFIER";
const ACCOUNT: &str = "CUSTOMER_AWS_ACCOUNT_ID";
const DIMENSION: &str = "DIMENSION";
const LICENSE: &str = "LICENSE_ARN";

const RESULTS_MAX: i64 = 25;
const PRODUCT_BYTES_MAX: usize = 255;
/// A page looks at so many records. Where that is less than there are, it names another page
/// whatever it has found, as the service does.
const LOOKED_AT_MAX: usize = 1000;

/// The page that is asked for.
pub(super) fn page(present: &Present, request: &Request) -> Result<Page, Refused> {
    let product = product(request)?;
    let results_max = results_max(request)?;
    let filter = Filter::new(request)?;
    // The names of filters are known and sorted, so that this is the same for the same list.
    let stamp = present.stamp(&(product, &request.filter));
    let from = request.next_token.as_deref().map_or(Ok(0), |token| place(token, &stamp))?;
    let shelf = &present.known().marketplace;
    let mut places = shelf.places(product, filter.customers());
    places.drain(..places.partition_point(|place| *place < from));
    let mut entitlements = Vec::new();
    for (looked_at, place) in places.into_iter().enumerate() {
        if entitlements.len() == results_max || looked_at == LOOKED_AT_MAX {
            return Ok(Page { entitlements, next_token: Some(token(place, &stamp)) });
        }
        let listed = shelf
            .at(place)
            .filter(|listed| listed.record.product_code == product && filter.takes(&listed.record));
        if let Some(entitlement) = listed.map(|listed| listed.now(present)).transpose()? {
            entitlements.extend(entitlement);
        }
    }
    Ok(Page { entitlements, next_token: None })
}

fn product(request: &Request) -> Result<&str, Refused> {
    let code = request
        .product_code
        .as_deref()
        .ok_or_else(|| failed("Value null at 'productCode'", "Member must not be null"))?;
    match code.len() {
        1..=PRODUCT_BYTES_MAX => Ok(code),
        0 => Err(failed(
            "Value '' at 'productCode'",
            "Member must have length greater than or equal to 1",
        )),
        _ => Err(failed(
            "Value at 'productCode'",
            "Member must have length less than or equal to 255",
        )),
    }
}

fn results_max(request: &Request) -> Result<usize, Refused> {
    let asked = request.max_results.unwrap_or(RESULTS_MAX);
    let usable = (1..=RESULTS_MAX).contains(&asked).then_some(asked);
    usable.and_then(|results| usize::try_from(results).ok()).ok_or_else(|| {
        failed(&format!("Value '{asked}' at 'maxResults'"), "Member must be between 1 and 25")
    })
}

fn failed(what: &str, constraint: &str) -> Refused {
    let failed = "failed to satisfy constraint";
    Refused::invalid(format!("1 validation error detected: {what} {failed}: {constraint}"))
}

/// What is wanted: any value of a key, and every key.
struct Filter<'a> {
    customers: Option<&'a [String]>,
    accounts: Option<&'a [String]>,
    dimensions: Option<&'a [String]>,
    licenses: Option<&'a [String]>,
}

impl<'a> Filter<'a> {
    fn new(request: &'a Request) -> Result<Self, Refused> {
        let mut filter = Self { customers: None, accounts: None, dimensions: None, licenses: None };
        for (key, values) in request.filter.iter().flatten() {
            let target = match key.as_str() {
                CUSTOMER => &mut filter.customers,
                ACCOUNT => &mut filter.accounts,
                DIMENSION => &mut filter.dimensions,
                LICENSE => &mut filter.licenses,
                _ => return Err(Refused::invalid(KEY_UNKNOWN)),
            };
            if values.is_empty() {
                return Err(Refused::invalid(format!("The filter {key} needs a value")));
            }
            *target = Some(values);
        }
        if filter.customers.is_some() && filter.accounts.is_some() {
            return Err(Refused::invalid(BOTH_CUSTOMERS));
        }
        Ok(filter)
    }

    /// Whom records must be about.
    fn customers(&self) -> Option<&'a [String]> {
        self.customers.or(self.accounts)
    }

    fn takes(&self, record: &Entitlement) -> bool {
        let any = |wanted: Option<&[String]>, value: Option<&String>| {
            wanted.is_none_or(|wanted| value.is_some_and(|value| wanted.contains(value)))
        };
        any(self.customers, record.customer_identifier.as_ref())
            && any(self.accounts, record.account.as_ref())
            && any(self.dimensions, Some(&record.dimension))
            && any(self.licenses, record.license_arn.as_ref())
    }
}

/// Names the place that a page goes on from.
fn token(place: usize, stamp: &Stamp) -> String {
    let place = (place as u64).to_be_bytes();
    URL_SAFE_NO_PAD.encode([&place[..], stamp].concat())
}

fn place(token: &str, stamp: &Stamp) -> Result<usize, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let read = || {
        let (place, given) = bytes.split_first_chunk::<8>()?;
        (given == stamp).then(|| usize::try_from(u64::from_be_bytes(*place)).ok())?
    };
    read().ok_or_else(|| Refused::invalid(TOKEN_INVALID))
}

const KEY_UNKNOWN: &str = "A filter is none of CUSTOMER_IDENTIFIER, CUSTOMER_AWS_ACCOUNT_ID, \
     DIMENSION and LICENSE_ARN";
const BOTH_CUSTOMERS: &str =
    "CUSTOMER_IDENTIFIER and CUSTOMER_AWS_ACCOUNT_ID exclude each other; filter by one of them";
const TOKEN_INVALID: &str =
    "NextToken is of another list, or of one that has changed since; begin again without it";
