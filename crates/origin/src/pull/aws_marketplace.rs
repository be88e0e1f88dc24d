//! AWS Marketplace's Entitlement Service: JSON 1.1, signed with Signature Version 4.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningParams, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use edgegrant::Instant;
use serde::Deserialize;
use ureq::http::HeaderMap;

use super::{Answer, Api, Caller, Http, Request, Secret};
use crate::failure::Failure;

/// The products of a seller, and who asks.
#[derive(Debug)]
pub struct AwsMarketplace {
    /// The product codes.
    pub products: Vec<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// The access key id.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: Secret,
    /// The token of a session, where the key is of one.
    pub session: Option<Secret>,
}

const SERVICE: &str = "aws-marketplace";
const TARGET: &str = "AWSMPEntitlementService.GetEntitlements";
/// The most that the service gives.
const PAGE: u8 = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    product_code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    entitlements: Vec<Entitlement>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entitlement {
    product_code: Option<String>,
}

/// What an error says of itself.
#[derive(Deserialize)]
struct Thrown {
    #[serde(rename = "__type")]
    kind: String,
}

impl AwsMarketplace {
    /// The region that requests are signed for unless said otherwise.
    pub const REGION: &str = "us-east-1";
    /// Where it answers unless said otherwise.
    pub const ENDPOINT: &str = "https://entitlement.marketplace.us-east-1.amazonaws.com";

    fn page(product: &str, token: Option<&str>) -> Request {
        let mut json = serde_json::json!({ "ProductCode": product, "MaxResults": PAGE });
        if let (Some(token), Some(object)) = (token, json.as_object_mut()) {
            object.insert("NextToken".into(), token.into());
        }
        let json = Some(json.to_string());
        Request { json, ..Request::get("entitlements", "/".into(), &[]) }
    }

    fn signed(
        &self,
        url: &str,
        body: &str,
        headers: &[(String, String)],
    ) -> Result<Vec<(String, String)>, Failure> {
        let unsigned = |error: String| Failure::bad_input("request-unsigned", error);
        let session = self.session.as_ref().map(|token| token.expose().to_owned());
        let secret = self.secret_key.expose();
        let identity =
            Credentials::new(&self.access_key, secret, session, None, "environment").into();
        let params: SigningParams<'_> = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(SERVICE)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| unsigned(error.to_string()))?
            .into();
        let headers = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(body.as_bytes());
        let request = SignableRequest::new("POST", url, headers, body);
        let request = request.map_err(|error| unsigned(error.to_string()))?;
        let (instructions, _) =
            sign(request, &params).map_err(|error| unsigned(error.to_string()))?.into_parts();
        let signed = instructions.headers();
        Ok(signed.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}

impl Caller for AwsMarketplace {
    fn headers(
        &self,
        _: &Http<'_>,
        request: &Request,
        url: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut headers = vec![
            ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target".to_owned(), TARGET.to_owned()),
        ];
        let body = request.json.as_deref().unwrap_or_default();
        headers.extend(self.signed(url, body, &headers)?);
        Ok(headers)
    }

    fn asks_for_patience(&self, headers: &HeaderMap, body: &str) -> bool {
        let told = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let thrown = serde_json::from_str::<Thrown>(body).ok();
        let kinds = told.into_iter().chain(thrown.as_ref().map(|thrown| &*thrown.kind));
        kinds.into_iter().any(|kind| kind.contains("ThrottlingException"))
    }
}

impl Api for AwsMarketplace {
    fn first(&self, _: Instant) -> Vec<Request> {
        self.products.iter().map(|product| Self::page(product, None)).collect()
    }

    /// Pages go on as long as there is a token, also after an empty one.
    fn next(&self, asked: &Request, answer: &Answer, _: Instant) -> Result<Vec<Request>, Failure> {
        let page: Page = super::parsed(asked, answer.body.get())?;
        let Asked { product_code } =
            super::parsed(asked, asked.json.as_deref().unwrap_or_default())?;
        let products = page.entitlements.iter().filter_map(|given| given.product_code.as_ref());
        if products.into_iter().any(|product| *product != product_code) {
            let message = "entitlements: the answer is about another product; check the endpoint";
            return Err(Failure::bad_input("product-differs", message));
        }
        let token = page.next_token.filter(|token| !token.is_empty());
        Ok(token.map(|token| Self::page(&product_code, Some(&token))).into_iter().collect())
    }
}
