# clv.R DIR: shops of members with random parameters, for 085_clv_oracle.pl.
#
# Each is simulated, fitted by nlm() to likelihoods in the textbooks' form, and expectations
# are integrals over what differs between members (the chance to leave, or the rate at which
# they leave), by integrate().  Nothing is shared with custmart but the models.
#
# Writes members.csv (shop, model, repeats, last_age, age, mean_spend), fits.csv (shop, model,
# log-likelihood by integrals, the same by the formula) and values.csv (shop, model, four
# parameters, repeats, last_age, age, days, p_alive, expected orders).
dir <- commandArgs(trailingOnly = TRUE)[1]
set.seed(20261128)
members <- 400
days <- 184

# ---------- simulation ----------

# One member: repeats and their days until age, orders of a day being one.
visit <- function(model, p, age) {
	rate <- rgamma(1, p[1], p[2])
	left <- if (model == "pareto/nbd") rexp(1, rgamma(1, p[3], p[4])) else Inf
	leave <- if (model == "pareto/nbd") 0 else rbeta(1, p[3], p[4])
	at <- 0
	seen <- numeric(0)
	if (model == "mbg/nbd" && runif(1) < leave) return(c(0, 0, age))
	repeat {
		at <- at + rexp(1, rate)
		if (at > min(age, left)) break
		seen <- c(seen, at)
		if (runif(1) < leave) break
	}
	seen <- unique(ceiling(seen))
	seen <- seen[seen <= age]
	c(length(seen), if (length(seen) > 0) max(seen) else 0, age)
}

# ---------- likelihoods ----------

# BG/NBD and MBG/NBD, with k chances to leave and stay (Fader, Hardie, Lee 2005; Batislam et al. 2007).
geometric <- function(model, p, x, t, age) {
	r <- p[1]; alpha <- p[2]; a <- p[3]; b <- p[4]
	k <- x + (model == "mbg/nbd")
	stays <- lbeta(a, b + k) - lbeta(a, b) - (r + x) * log(alpha + age)
	left <- ifelse(k > 0, lbeta(a + 1, b + k - 1) - lbeta(a, b) - (r + x) * log(alpha + t), -Inf)
	most <- pmax(stays, left)
	lgamma(r + x) - lgamma(r) + r * log(alpha) + most + log(exp(stays - most) + exp(left - most))
}

# Pareto/NBD: those who left did so at some y from the last order on, summed over 64 nodes of
# Gauss and Legendre in ln(beta + y).
nodes <- local({
	n <- 64
	i <- seq_len(n - 1)
	off <- i / sqrt(4 * i^2 - 1)
	m <- matrix(0, n, n)
	m[cbind(i, i + 1)] <- m[cbind(i + 1, i)] <- off
	e <- eigen(m, symmetric = TRUE)
	list(x = e$values, w = 2 * e$vectors[1, ]^2)
})
pareto <- function(p, x, t, age) {
	r <- p[1]; alpha <- p[2]; s <- p[3]; beta <- p[4]
	low <- log(beta + t)
	half <- (log(beta + age) - low) / 2
	v <- low + half * (1 + matrix(nodes$x, length(x), 64, byrow = TRUE))
	f <- -(r + x) * log(alpha + exp(v) - beta) - s * v
	most <- -(r + x) * log(alpha + t) - s * low
	left <- s * half * as.vector(exp(f - most) %*% nodes$w)
	lgamma(r + x) - lgamma(r) + r * log(alpha) + s * log(beta) + most +
		log(left + exp(-(r + x) * log(alpha + age) - s * log(beta + age) - most))
}
likelihood <- function(model, p, x, t, age)
	if (model == "pareto/nbd") pareto(p, x, t, age) else geometric(model, p, x, t, age)

# ---------- integrals ----------

# Over the logit of the chance to leave, or the logarithm of the rate of leaving: of f(u) that is
# scaled by its largest value.
whole <- function(log_f) {
	u <- seq(-60, 60, 0.05)
	v <- log_f(u)
	most <- max(v)
	near <- range(u[v > most - 60])
	cuts <- seq(near[1] - 1, near[2] + 1, length.out = 9)
	log(sum(sapply(1:8, function(i) integrate(function(u) exp(log_f(u) - most), cuts[i], cuts[i + 1], rel.tol = 1e-11, subdivisions = 1000)$value))) + most
}

# The logarithm of the likelihood, the chance to be there still, and orders in the next days.
by_integrals <- function(model, p, x, t, age) {
	r <- p[1]; alpha <- p[2]
	shape <- r + x
	constant <- lgamma(shape) - lgamma(r) + r * log(alpha)
	if (model == "pareto/nbd") {
		s <- p[3]; beta <- p[4]
		weight <- function(u) s * u - beta * exp(u) + s * log(beta) - lgamma(s)
		alive <- function(u) weight(u) - exp(u) * age - shape * log(alpha + age)
		# mu is fixed: gone between the last order and now, by parts of that time
		left <- function(y) exp(log(s) + s * log(beta) - (s + 1) * log(beta + y) - shape * log(alpha + y))
		gone <- if (age > t) integrate(function(y) left(y) / left(t), t, age, rel.tol = 1e-11, subdivisions = 1000)$value * left(t) else 0
		gain <- function(u) log(shape / (alpha + age)) + log(-expm1(-exp(u) * days)) - u
	} else {
		a <- p[3]; b <- p[4]
		k <- x + (model == "mbg/nbd")
		weight <- function(u) a * plogis(u, log.p = TRUE) + b * plogis(-u, log.p = TRUE) - lbeta(a, b)
		alive <- function(u) weight(u) + k * plogis(-u, log.p = TRUE) - shape * log(alpha + age)
		gone <- if (k > 0) exp(whole(function(u) weight(u) + plogis(u, log.p = TRUE) + (k - 1) * plogis(-u, log.p = TRUE)) - shape * log(alpha + t)) else 0
		gain <- function(u) log(-expm1(-shape * log1p(plogis(u) * days / (alpha + age)))) - plogis(u, log.p = TRUE)
	}
	there <- whole(alive)
	list(likelihood = constant + log(exp(there) + gone), p_alive = exp(there) / (exp(there) + gone),
		orders = exp(whole(function(u) alive(u) + gain(u))) / (exp(there) + gone))
}

# ---------- all shops ----------

write <- function(rows, name) write.table(rows, file.path(dir, name), sep = ",", row.names = FALSE, col.names = FALSE, append = TRUE, quote = FALSE)
for (model in c("bg/nbd", "mbg/nbd", "pareto/nbd"))
	for (shop in 1:10) {
		repeat {
			p <- c(exp(runif(1, -1, 0.7)), exp(runif(1, 3, 4.5)), exp(runif(1, -0.8, 0.4)), if (model == "pareto/nbd") exp(runif(1, 4, 5.5)) else exp(runif(1, 0, 1.2)))
			m <- t(sapply(seq_len(members), function(i) visit(model, p, sample(100:600, 1))))
			x <- m[, 1]; t <- m[, 2]; age <- m[, 3]
			spend <- ifelse(x > 0, round(rgamma(members, 6 * pmax(x, 1), 6 * pmax(x, 1) / (20 * rgamma(members, 4, 4))), 2) + 0.01, NA)
			start <- if (model == "pareto/nbd") c(0.5, mean(age) / 4, 0.5, mean(age) / 4) else c(1, mean(age) / 8, 1, 1)
			fit <- list(estimate = log(start))
			for (round in 1:3)
				fit <- nlm(function(theta) -sum(likelihood(model, exp(theta), x, t, age)), fit$estimate, gradtol = 1e-9, steptol = 1e-12, iterlim = 500)
			q <- exp(fit$estimate)
			# Not all have a maximum: that is for other tests.
			if (all(q > 1e-3 & q < 1e4)) break
		}
		write(data.frame(shop, model, x, t, age, spend), "members.csv")
		some <- order(x, t, age)[round(seq(1, members, length.out = 40))]
		exact <- lapply(some, function(i) by_integrals(model, q, x[i], t[i], age[i]))
		write(data.frame(shop, model, sum(sapply(exact, function(e) e$likelihood)), sum(likelihood(model, q, x[some], t[some], age[some])), -fit$minimum), "fits.csv")
		write(data.frame(shop, model, t(format(q, digits = 17)), x[some], t[some], age[some], days, sapply(exact, function(e) e$p_alive), sapply(exact, function(e) e$orders)), "values.csv")
	}
