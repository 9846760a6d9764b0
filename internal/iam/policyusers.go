package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerPolicyUsers(*service.Registry, *Service) {}
