/*
 * clv_math.c
 *	  Special functions, and algebra of small symmetric matrices.
 */
#include "clv/clv_math.h"

/* From here on the asymptotic series below are good to the last digit. */
#define ASYMPTOTIC 16.0

/* A matrix of 4 x 4 takes four or five sweeps. */
#define SWEEPS 50

const float8 clv_node[CLV_NODES] = {
	0.0950125098376374401853, 0.281603550779258913230, 0.458016777657227386342, 0.617876244402643748447,
	0.755404408355003033895, 0.865631202387831743880, 0.944575023073232576078, 0.989400934991649932596
};

const float8 clv_weight[CLV_NODES] = {
	0.189450610455068496285, 0.182603415044923588867, 0.169156519395002538189, 0.149595988816576732081,
	0.124628971255533872052, 0.0951585116824927848099, 0.0622535239386478928628, 0.0271524594117540948518
};

/* ---------- special functions ---------- */

/* What Stirling's formula lacks of ln Γ(z) (DLMF 5.11.1). */
static float8
stirling_rest(float8 z)
{
	float8		s = 1 / (z * z);

	return (1.0 / 12 - s * (1.0 / 360 - s * (1.0 / 1260 - s * (1.0 / 1680 - s * (1.0 / 1188 - s * (691.0 / 360360)))))) / z;
}

/* ln Γ(z + n) - ln Γ(z), for z > 0 and n >= 0. */
float8
clv_log_rising(float8 z, float8 n)
{
	if (z < ASYMPTOTIC)
		return lgamma(z + n) - lgamma(z);
	return (z - 0.5) * log1p(n / z) + n * (log(z + n) - 1) + (stirling_rest(z + n) - stirling_rest(z));
}

float8
clv_log_beta(float8 a, float8 b)
{
	float8		small = Min(a, b);

	return lgamma(small) - clv_log_rising(Max(a, b), small);
}

/* The derivative of ln Γ(z), for z > 0 (DLMF 5.11.2). */
float8
clv_digamma(float8 z)
{
	float8		below = 0;
	float8		s;

	for (; z < ASYMPTOTIC; z++)
		below += 1 / z;
	s = 1 / (z * z);
	return log(z) - 0.5 / z - below -
		s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s * (1.0 / 132 - s * (691.0 / 32760))))));
}

/* And its second derivative. */
float8
clv_trigamma(float8 z)
{
	float8		below = 0;
	float8		s;

	for (; z < ASYMPTOTIC; z++)
		below += 1 / (z * z);
	s = 1 / (z * z);
	return below + s / 2 +
		(1 + s * (1.0 / 6 - s * (1.0 / 30 - s * (1.0 / 42 - s * (1.0 / 30 - s * (5.0 / 66 - s * (691.0 / 2730))))))) / z;
}

void
clv_rising_start(ClvRising *rising, float8 z)
{
	memset(rising, 0, sizeof(*rising));
	rising->z = z;
}

/* Goes on to a higher count. */
void
clv_rising_advance(ClvRising *rising, float8 count)
{
	float8		from = rising->z + rising->count;
	float8		to = rising->z + count;

	Assert(count >= rising->count);
	if (count - rising->count > CLV_SUMMED)
	{
		clv_sum_add(&rising->logs, clv_log_rising(from, count - rising->count));
		clv_sum_add(&rising->inverses, clv_digamma(to) - clv_digamma(from));
		clv_sum_add(&rising->squares, clv_trigamma(from) - clv_trigamma(to));
		rising->count = count;
	}
	for (; rising->count < count; rising->count++)
	{
		float8		at = rising->z + rising->count;

		clv_sum_add(&rising->logs, log(at));
		clv_sum_add(&rising->inverses, 1 / at);
		clv_sum_add(&rising->squares, 1 / (at * at));
	}
}

/* ---------- matrices ---------- */

/* Eigenvalues, and eigenvectors as columns, by Jacobi's rotations. */
void
clv_eigen(const ClvMatrix symmetric, int n, float8 *value, ClvMatrix vector)
{
	ClvMatrix	m;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			m[i][j] = symmetric[i][j];
			vector[i][j] = i == j;
		}
	for (int sweep = 0; sweep < SWEEPS; sweep++)
	{
		bool		diagonal = true;

		for (int p = 0; p < n; p++)
			for (int q = p + 1; q < n; q++)
			{
				float8		theta;
				float8		t;
				float8		c;
				float8		s;

				/* Below the last digits of both, so it cannot change them. */
				if (fabs(m[p][q]) <= 1e-18 * sqrt(fabs(m[p][p])) * sqrt(fabs(m[q][q])))
					continue;
				diagonal = false;
				theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
				t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1));
				c = 1 / hypot(t, 1);
				s = t * c;
				for (int k = 0; k < n; k++)
				{
					float8		kp = m[k][p];
					float8		kq = m[k][q];

					m[k][p] = c * kp - s * kq;
					m[k][q] = s * kp + c * kq;
				}
				for (int k = 0; k < n; k++)
				{
					float8		pk = m[p][k];
					float8		qk = m[q][k];
					float8		vp = vector[k][p];
					float8		vq = vector[k][q];

					m[p][k] = c * pk - s * qk;
					m[q][k] = s * pk + c * qk;
					vector[k][p] = c * vp - s * vq;
					vector[k][q] = s * vp + c * vq;
				}
				m[p][q] = m[q][p] = 0;
			}
		if (diagonal)
			break;
	}
	for (int i = 0; i < n; i++)
		value[i] = m[i][i];
}

/* The inverse, by Cholesky's decomposition; false if the matrix is not positive definite. */
bool
clv_invert_positive(const ClvMatrix symmetric, int n, ClvMatrix inverse)
{
	ClvMatrix	root;			/* lower triangle */
	ClvMatrix	root_inverse;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			float8		rest = symmetric[i][j];

			for (int k = 0; k < j; k++)
				rest -= root[i][k] * root[j][k];
			if (i > j)
				root[i][j] = rest / root[j][j];
			else if (rest > 1e-14 * symmetric[i][i] && isfinite(rest))
				root[i][i] = sqrt(rest);
			else
				return false;
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			float8		rest = i == j;

			for (int k = j; k < i; k++)
				rest -= root[i][k] * root_inverse[k][j];
			root_inverse[i][j] = rest / root[i][i];
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
		{
			float8		sum = 0;

			for (int k = i; k < n; k++)
				sum += root_inverse[k][i] * root_inverse[k][j];
			if (!isfinite(sum))
				return false;
			inverse[i][j] = inverse[j][i] = sum;
		}
	return true;
}
