package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerPolicyTags(*service.Registry, *Service) {}
