# The analysis of a panel with survey and survival; prints one result a line.
# Usage: Rscript panel_with_r.R FOLDER

suppressPackageStartupMessages({
  library(survey)
  library(survival)
})

# --- the data
folder <- commandArgs(trailingOnly = TRUE)[1]
visits <- read.csv(file.path(folder, "visits.csv"))
people <- read.csv(file.path(folder, "people.csv"), stringsAsFactors = TRUE)
draws <- read.csv(file.path(folder, "draws.csv"))

# --- the analysis
visits$done <- visits$reason == "completed"
of_wave <- function(number) {
  wave <- visits[visits$wave == number, ]
  wave[match(people$person, wave$person), ]
}
for (number in 2:3) people[[paste0("done", number)]] <- of_wave(number)$done
first <- prop.test(sum(people$done2), nrow(people), correct = FALSE)

until_done <- function(wave) {
  Surv(ifelse(wave$done, wave$ended, wave$open_until) / 3600000, wave$done)
}
fourth <- of_wave(4)
curve <- summary(survfit(until_done(fourth) ~ 1, conf.type = "log-log"), times = 240)
second <- of_wave(2)
soon <- survdiff(until_done(second) ~ second$device)

stayed <- people[people$done2, ]
gone <- people[!people$done2, ]
difference <- (mean(stayed$age) - mean(gone$age)) / sqrt((var(stayed$age) + var(gone$age)) / 2)
p_holm <- p.adjust(c(
  age = t.test(stayed$age, gone$age)$p.value,
  education = chisq.test(table(people$education, people$done2), correct = FALSE)$p.value,
  device = chisq.test(table(people$device, people$done2), correct = FALSE)$p.value
), "holm")
logit <- glm(done2 ~ age + education + device, binomial, people)
effect <- mean(fitted(logit) * (1 - fitted(logit))) * coef(logit)[["age"]]

# The chain: each wave among those who completed every wave before it, with the times a person was drawn.
weights_of <- function(times) {
  data <- cbind(people, times = times)
  second <- glm(done2 ~ age + education + device, quasibinomial, data, weights = times)
  third <- glm(done3 ~ age + education + device, quasibinomial, data[data$done2, ], weights = times)
  weight <- times / predict(second, data, type = "response") / predict(third, data, type = "response")
  ifelse(data$done2 & data$done3, weight, 0)
}
weight <- weights_of(rep(1, nrow(people)))
kept <- people[weight > 0, ]
used <- weight[weight > 0]
mean_of_all <- svymean(~value, svydesign(ids = ~1, weights = used, data = kept))

times <- matrix(0, nrow(people), max(draws$replicate))
times[cbind(match(draws$person, people$person), draws$replicate)] <- draws$times
replicates <- apply(times, 2, weights_of)[weight > 0, ]
resampled <- svrepdesign(
  data = kept, weights = used, repweights = replicates, type = "other", combined.weights = TRUE,
  scale = 1 / (ncol(replicates) - 1), rscales = rep(1, ncol(replicates)), mse = FALSE
)
bootstrap <- svymean(~value, resampled)

# --- the results
results <- c(
  "share who stayed to wave 2" = first$estimate[[1]],
  "its interval, low" = first$conf.int[1],
  "its interval, high" = first$conf.int[2],
  "share after ten days, wave 4" = 1 - curve$surv,
  "its interval, low (wave 4)" = 1 - curve$upper,
  "its interval, high (wave 4)" = 1 - curve$lower,
  "log-rank test by device, wave 2" = soon$chisq,
  "its p-value" = pchisq(soon$chisq, length(soon$n) - 1, lower.tail = FALSE),
  "standardised difference of age" = difference,
  "p-value of age, Holm" = p_holm[["age"]],
  "p-value of device, Holm" = p_holm[["device"]],
  "marginal effect of a year of age" = effect,
  "largest weight, wave 3" = max(used),
  "effective number of people" = sum(used)^2 / sum(used^2),
  "weighted mean" = coef(mean_of_all)[[1]],
  "its standard error, linearised" = SE(mean_of_all)[[1]],
  "its standard error, bootstrap" = SE(bootstrap)[[1]]
)
cat(sprintf("%s\t%.15g\n", names(results), results), sep = "")
