/* decimal: text to doubles. strtod is right but obeys the locale, whose decimal point may be a
 * comma: it gets the C one. */
#include "decimal.h"

#include <float.h>
#include <locale.h>
#include <stdlib.h>

static const double powers[] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

bool decimal_exact(uint64_t digits, int64_t exponent, double *out)
{
	/* Where doubles are computed in wider registers the result would be rounded twice. */
	if (FLT_EVAL_METHOD != 0 || digits > UINT64_C(1) << 53 || exponent < -22 || exponent > 22)
		return false;
	double d = (double)digits;
	*out = exponent < 0 ? d / powers[-exponent] : d * powers[exponent];
	return true;
}

bool decimal_parse(const char *text, double *out)
{
	/* The "C" locale is a constant of the C library: making and freeing it costs nothing. */
	locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);

	if (plain == (locale_t)0)
		return false;
	*out = strtod_l(text, NULL, plain);
	freelocale(plain);
	return true;
}
