// SPDX-License-Identifier: LGPL-2.1-or-later
// Hashes as a policy wants them (CSP Level 3, 2.3.1): SHA-256 in base64.
#include "src/report/policy.h"

#include <resolv.h>
#include <sha256.h>

enum { BASE64_CHARS = (SHA256_DIGEST_LENGTH + 2) / 3 * 4 + 1 };

static void put_hash(page_text *out, const struct asset *a)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char base64[BASE64_CHARS];
	SHA256_CTX ctx;

	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)a->bytes, a->n);
	SHA256Final(digest, &ctx);
	(void)b64_ntop(digest, sizeof(digest), base64, sizeof(base64));
	put(out, "'sha256-");
	put(out, base64);
	put(out, "'");
}

void policy_put(page_text *out, const struct asset *script, const struct asset *style)
{
	put(out, "default-src 'none'; script-src ");
	put_hash(out, script);
	put(out, "; style-src ");
	put_hash(out, style);
	// nor may the script make HTML or code of a text: there is no policy of trusted types
	put(out, "; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
		 "trusted-types 'none'");
}
